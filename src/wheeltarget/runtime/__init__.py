"""What travels to the machine that is bundled for: standard library only, Python 3.6 and newer."""
