"""What the unit remembers: records in SQL, columns in memory-mapped files."""
