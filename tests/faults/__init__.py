"""What befalls a run from outside: kills, full disks, lost folders, clocks that jump."""
