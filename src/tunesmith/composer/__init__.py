"""The built-in composer: prompt → brief → score → stems → mix."""
