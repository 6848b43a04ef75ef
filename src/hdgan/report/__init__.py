"""What people look at: progress, pictures, tables, one self-contained page a run."""
