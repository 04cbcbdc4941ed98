"""What lies in a folder that a user brings: which files are pictures, which of them train, and what
each shows. Paths and words only: no pixel is read here."""
