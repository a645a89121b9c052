"""What an address is, and how it can be read: by itself, and by what it answers. No network."""
