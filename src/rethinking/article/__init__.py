"""The article: its sources expanded, checked and rendered as a web page and a PDF."""
