"""What a user brings: checked texts, files of sentences, and sentences to start from."""
