"""Settings, municipalities and the taxonomy: their schemas, their files, their validation."""
