"""Poetry commands: options in, exit codes out."""
