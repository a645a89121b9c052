"""What platforms answer, read without Scrapy and without a network: one adapter per protocol."""
