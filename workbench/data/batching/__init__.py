"""Which rows make a batch: samplers for ``DataLoader(batch_sampler=...)``, one a file."""
