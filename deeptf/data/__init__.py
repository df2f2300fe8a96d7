"""Data: folders of labelled frames, which frames come next, and statistics over them."""
