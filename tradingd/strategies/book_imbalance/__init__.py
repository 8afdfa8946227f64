"""Trade the side that the best queues of the order book lean to."""
