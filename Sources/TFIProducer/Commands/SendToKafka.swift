import CommandLineSupport

/// Sends a source's messages to the topic that the options name, and shows progress and totals.
///
/// - Parameter interval: The time between messages; nil to send as fast as the brokers accept.
/// - Throws: A failure that says why not everything was delivered.
func sendToKafka(
    _ source: some MessageSource, encoder: MessageEncoder, interval: Duration?, options: ParsedOptions
) async throws {
    let clock = ContinuousClock()
    let configuration = try await KafkaPlant.configuration(options)
    let stop = StopSignal.listening()
    let progress = SendingProgress()
    let sending = Task {
        let plant = try await KafkaPlant.open(
            configuration, topic: options[CommonOptions.topic],
            partitions: Int32(options[ProducerOptions.partitions]),
            onEvent: { StatusLine.shared.message("tfi-producer: \($0)") })
        let started = clock.now
        var sender = PlantSender(
            source: source, encoder: encoder, sink: plant, interval: interval, clock: clock, progress: progress)
        do {
            try await sender.run()
        } catch {
            // The producer may still deliver earlier records after it refused one.
            try? await plant.finish()
            throw error
        }
        try await plant.finish()
        return clock.now - started
    }
    let stopping = Task {
        await stop.wait()
        sending.cancel()
    }
    let drawing = Task {
        var line = ProgressLine(count: source.count)
        let started = clock.now
        while !Task.isCancelled {
            StatusLine.shared.update { line.text(records: progress.records, time: clock.now - started) }
            try? await clock.sleep(for: .milliseconds(250))
        }
    }
    let outcome = await sending.result
    stopping.cancel()
    drawing.cancel()
    await drawing.value
    StatusLine.shared.clear()
    let elapsed: Duration
    do {
        elapsed = try outcome.get()
    } catch is CancellationError {
        // Stopped before a connection was made.
        elapsed = .zero
    }
    let totals = Totals(
        passages: progress.passages, concerns: progress.concerns, bytes: progress.bytes,
        seconds: elapsed / .seconds(1), usage: .current)
    try await Output.standard.write(totals.line + "\n")
    if options[CommonOptions.summaryJSON] { try await Output.standard.write(totals.summary.text + "\n") }
}
