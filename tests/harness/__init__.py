"""What the Python tests stand on: real servers and daemons in temporary folders, and clients that see what happens."""
