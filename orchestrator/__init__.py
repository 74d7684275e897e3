"""If someone broke our API, who would notice?"""
