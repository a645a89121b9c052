"""From the bytes of a response to what it says: pure functions, no network, no Scrapy."""
