"""`hdgan tile`: slides, or a folder of images, to a tile set."""
