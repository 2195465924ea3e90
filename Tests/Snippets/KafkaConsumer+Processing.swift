// What the code in KafkaConsumer+Processing.swift uses without declaring it.

private func handle(_ record: ConsumerRecord) async throws {}
