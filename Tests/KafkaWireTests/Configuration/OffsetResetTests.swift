import Testing

@testable import KafkaWire

@Suite("auto.offset.reset") struct OffsetResetTests {
    private func reset(_ text: String) throws -> ConsumerConfiguration.OffsetReset {
        try ClientConfiguration(bootstrapServers: "127.0.0.1:9092", properties: ["auto.offset.reset": text])
            .consumer.offsetReset
    }

    @Test func `Names and durations are read`() throws {
        #expect(try reset("earliest") == .earliest)
        #expect(try reset("Latest") == .latest)
        #expect(try reset("none") == .fail)
        #expect(try reset("by_duration:PT1H30M") == .byDuration(.seconds(5400)))
        #expect(try reset("by_duration:P2DT0.5S") == .byDuration(.seconds(172_800) + .milliseconds(500)))
        #expect(try reset("by_duration:P1D") == .byDuration(.seconds(86400)))
    }

    @Test(arguments: [
        "", "first", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:1H", "by_duration:PT1S1H",
        "by_duration:PT1ST1H", "by_duration:P1H", "by_duration:-PT1S", "by_duration:PT-1S", "by_duration:PT1.5H",
        "by_duration:PT1", "by_duration:P99999999999D", "by_duration:PTS",
    ])
    func `Other values are refused`(text: String) {
        let error = #expect(throws: KafkaError.self) { _ = try reset(text) }
        #expect(error?.code == .invalidConfig)
        #expect(error?.message.contains("by_duration") == true)
    }

    @Test func `A duration counts back from the current time`() {
        let now = KafkaTimestamp(millisecondsSince1970: 100_000)
        let epoch = KafkaTimestamp(millisecondsSince1970: 0)
        func place(_ duration: Duration) -> OffsetSpec? {
            ConsumerConfiguration.OffsetReset.byDuration(duration).place(now: now)
        }
        #expect(place(.seconds(60)) == .timestamp(KafkaTimestamp(millisecondsSince1970: 40_000)))
        #expect(place(.seconds(600)) == .timestamp(epoch))
        #expect(place(.seconds(Int64.max)) == .timestamp(epoch))
        #expect(ConsumerConfiguration.OffsetReset.fail.place(now: now) == nil)
    }
}
