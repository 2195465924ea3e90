// What the code in KafkaProducer+DeadLetters.swift uses without declaring it.

private func handle(_ record: ConsumerRecord) async throws {}
