"""What the paper computes: arrays in, arrays out; no disk, no clock, no log."""
