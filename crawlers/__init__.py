"""Scrapy collection: spiders, page extraction without network, the archive, the sandbox town."""
