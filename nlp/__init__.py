"""Language: cleaning, encoder, training, classification, evaluation and share correction."""
