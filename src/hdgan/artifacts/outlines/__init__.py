"""Areas that someone outlined on a slide in QuPath, ASAP, ImageScope or another program."""
