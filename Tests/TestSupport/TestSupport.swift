// Parts shared by the tests.
