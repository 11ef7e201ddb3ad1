"""The rooms one by one, on small files made by the tests themselves."""
