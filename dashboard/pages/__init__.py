"""One module per page: its entry in the navigation, and its routes."""
