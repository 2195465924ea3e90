import Foundation
import TestSupport
import Testing

extension ShippedPrograms {
    /// `kafkawire` over each kind of security and with each codec.
    @Suite struct MessageTests {
        @Test("messages are sent and read, also in groups that continue", arguments: KafkaSecurity.allCases)
        func security(_ security: KafkaSecurity) async throws {
            let topic = try await SecureTopic(security)
            let sent = sampleLines(1500)
            try await topic.send(sent, ["-K:", "-H", "h=1"])
            let expected = sent.map { $0 + ";h=1" }
            let format = ["-f", "%k:%s;%h\\n"]
            expectSame(try await topic.readAll(format), expected, "kafkawire -C by \(security)")
            for groupProtocol in ["classic", "consumer"] {
                let group = ["-G", topic.name + groupProtocol, topic.name, "-X", "group.protocol=\(groupProtocol)"]
                let what = "kafkawire \(group.joined(separator: " ")) by \(security)"
                let first = try await topic.kafkawire(group + ["-o", "beginning", "-c", "600"] + format)
                expectSame(lines(first.out), Array(expected.prefix(600)), "\(what), the first 600")
                let rest = try await topic.kafkawire(group + ["-e"] + format)
                expectSame(lines(rest.out), Array(expected.dropFirst(600)), "\(what), the rest")
                let offsets = try await topic.kafkawire(["groups", "offsets", topic.name + groupProtocol])
                #expect(
                    offsets.out.split(separator: "\n").last?.split(separator: " ").map(String.init)
                        == [topic.name, "0", "\(sent.count)", "\(sent.count)", "0"], "\(what)")
            }
        }

        @Test(
            "all of a committed transaction is read, and an aborted one only with read_uncommitted",
            arguments: [KafkaSecurity.mutualTLS, .scramSHA512])
        func transactions(_ security: KafkaSecurity) async throws {
            let topic = try await SecureTopic(security)
            let sent = sampleLines(1000)
            let transaction = ["-X", "transactional.id=\(topic.name)"]
            try await topic.send(sent, transaction)
            // The second file does not exist, so the transaction is aborted after the first one was sent.
            let file = topic.propertiesFile
            try await topic.kafkawire(
                ["-P", "-t", topic.name] + transaction + [file, file + ".missing"], status: 66)
            try await topic.send(["after"], transaction)
            expectSame(
                try await topic.readAll(["-X", "isolation.level=read_committed"]), sent + ["after"], "read_committed")
            let aborted = lines(try String(contentsOfFile: file, encoding: .utf8))
            expectSame(
                try await topic.readAll(["-X", "isolation.level=read_uncommitted", "-f", "%s\\n"])
                    .filter { !$0.isEmpty },
                sent + aborted + ["after"], "read_uncommitted")
        }

        @Test("messages of each codec are stored with it, and read back")
        func codecs() async throws {
            let codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
            let topic = try await SecureTopic(.tls, partitions: codecs.count)
            let sent = sampleLines(3000)
            for (partition, codec) in codecs.enumerated() {
                let one = ["-p", "\(partition)"]
                try await topic.send(sent, one + ["-z", codec])
                expectSame(try await topic.readAll(one), sent, "kafkawire -z \(codec)")
                #expect(try await topic.storedCodecs(partition: partition) == [codec])
            }
        }

        @Test("kafkawire refuses a broker with a certificate from another CA")
        func untrustedBroker() async throws {
            let topic = try await SecureTopic(.tls, partitions: 0)
            let stranger = topic.cluster.certificate("stranger-ca.pem")
            let result = try await topic.kafkawire(
                ["-L"], overrides: ["ssl.truststore.location=\(stranger)"], status: 69)
            #expect(result.err.contains("certificate"), "\(result.err)")
        }

        @Test("a wrong password is refused, and never shown", arguments: [KafkaSecurity.saslPlain, .scramSHA256])
        func wrongPassword(_ security: KafkaSecurity) async throws {
            let topic = try await SecureTopic(security, partitions: 0)
            let result = try await topic.kafkawire(["-L"], overrides: ["sasl.password=another-secret"], status: 69)
            #expect(result.err.contains("alice"), "\(result.err)")
            #expect(!result.err.contains("another-secret"), "\(result.err)")
        }
    }
}
