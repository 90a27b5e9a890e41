"""The rooms that know Poetry. Importing this package imports nothing else."""
