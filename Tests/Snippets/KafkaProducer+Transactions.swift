// What the doc comments of KafkaProducer+Transactions.swift use without declaring it.

private var result: [UInt8] { omitted() }
private var next: Int64 { omitted() }
