"""Training of the shipped weights: masked-language-model pretraining and multi-task fine-tuning."""
