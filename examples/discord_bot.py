"""A Discord bot: /music PROMPT answers with a piece from your own server (tunesmith serve).

Set DISCORD_TOKEN and pip install discord.py. To try it without Discord: python discord_bot.py --once "lofi, 85 bpm"
"""

import asyncio
import os
import sys
from pathlib import Path

from tunesmith import AsyncTunesmith, TunesmithError


async def music(prompt: str) -> tuple[str, Path | None]:
    async with AsyncTunesmith() as server:  # at TUNESMITH_URL, with TUNESMITH_TOKEN
        try:
            clip = await server.generate(prompt, duration=15, format="mp3")
        except TunesmithError as problem:
            return f"No music: {problem}", None
    return f"{prompt} (seed {clip.seed})", clip.save(f"discord-{clip.seed}.mp3")


if sys.argv[1:2] == ["--once"]:
    sys.exit(print(*asyncio.run(music(sys.argv[2]))))

import discord  # noqa: E402  not needed to try it

client = discord.Client(intents=discord.Intents.default())
commands = discord.app_commands.CommandTree(client)


@commands.command(name="music", description="Background music from a few words")
async def answer(interaction: discord.Interaction, prompt: str) -> None:
    await interaction.response.defer(thinking=True)  # Discord waits three seconds for a sign of life
    said, file = await music(prompt)
    await interaction.followup.send(said[:2000], files=[discord.File(file)] if file else [])


client.setup_hook = commands.sync
client.run(os.environ["DISCORD_TOKEN"])
