"""What every part needs of the machine: files that are whole or not there, figures, tables,
progress, the console."""
