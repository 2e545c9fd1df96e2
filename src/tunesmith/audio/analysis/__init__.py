"""Listening to sound: onsets, tempo and beats, key, and what else can be measured of any recording."""
