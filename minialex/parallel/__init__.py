"""The same run on any number of processes, to the byte: mpiexec (docs/machines.md)."""
