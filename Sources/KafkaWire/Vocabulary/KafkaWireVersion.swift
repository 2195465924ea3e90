/// The version of this package: of KafkaWire and of the programs that are built from the same sources.
public enum KafkaWireVersion {
    /// The version by semver.org. The client also sends it to brokers, for their logs and metrics (KIP-511).
    public static let current = "1.0.0-rc"
    /// The name of the client's software, as brokers see it.
    static let softwareName = "kafkawire"
}
