"""`hdgan compare`: whether synthetic pairs help, on held-out patients, against other ways."""
