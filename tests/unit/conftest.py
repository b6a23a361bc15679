from hypothesis import settings

# How long an example takes says more of the machine than of the code.
settings.register_profile("project", deadline=None, max_examples=50)
settings.load_profile("project")
