"""The commands, one file each: arguments in, one call, a clear error out."""
