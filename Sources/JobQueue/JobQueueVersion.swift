/// The version of the queue's library, as workers report it to the database.
public let jobQueueVersion = "0.1.0"
