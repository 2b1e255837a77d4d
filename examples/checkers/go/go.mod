module checkers.example

go 1.19
