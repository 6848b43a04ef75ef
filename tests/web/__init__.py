"""The annotation page, its server and what it keeps."""
