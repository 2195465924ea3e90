import Foundation
import KafkaWire
import TestSupport
import Testing

private let needsKcat: ConditionTrait = .enabled(if: Kcat.path != nil, "\(Kcat.skipReason)")

extension RealKafka {
    /// TLS and logins with librdkafka's settings, in options and in files that both programs read.
    @Suite("kcat's settings", needsKafka, needsKcat) struct KcatSettingsTests {
        private func settings(
            _ cluster: SecureKafkaCluster, _ security: KafkaSecurity, _ folder: TemporaryFolder
        ) throws -> [String] {
            let tls = ["security.protocol=ssl", "ssl.ca.location=\(cluster.certificate("ca.pem"))"]
            switch security {
            case .plain: return []
            case .oauthBearer:
                return [
                    "bootstrap.servers=\(cluster.bootstrap(.saslSSL))", tls[1], "security.protocol=sasl_ssl",
                    "sasl.mechanisms=OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt=true",
                    "sasl.oauthbearer.config=principal=alice lifeSeconds=600",
                ]
            case .tls: return ["metadata.broker.list=\(cluster.bootstrap(.ssl))"] + tls
            case .mutualTLS:
                // The certificate and the key in separate files.
                let both = try String(contentsOfFile: cluster.certificate("client.pem"), encoding: .utf8)
                let parts = try ["certificate": "CERTIFICATE", "key": "PRIVATE KEY"].mapValues { label in
                    let blocks = both.matches(of: try Regex("-----BEGIN \(label)-----[^-]*-----END \(label)-----\n?"))
                    return blocks.map { String(both[$0.range]) }.joined()
                }
                for (name, text) in parts {
                    #expect(!text.isEmpty, "\(name)")
                    try text.write(toFile: folder.path + "/" + name, atomically: true, encoding: .utf8)
                }
                return ["metadata.broker.list=\(cluster.bootstrap(.mtls))"] + tls + [
                    "ssl.certificate.location=\(folder.path)/certificate", "ssl.key.location=\(folder.path)/key",
                ]
            case .saslPlain, .scramSHA256, .scramSHA512:
                return [
                    "bootstrap.servers=\(cluster.bootstrap(.saslSSL))", tls[1], "security.protocol=sasl_ssl",
                    "sasl.mechanisms=\(security.rawValue)", "sasl.username=bob", "sasl.password=bob=secret",
                ]
            }
        }

        @Test(
            arguments: KafkaHome.all,
            [KafkaSecurity.tls, .mutualTLS, .saslPlain, .scramSHA256, .scramSHA512, .oauthBearer])
        func bothConnect(_ home: KafkaHome, _ security: KafkaSecurity) async throws {
            let cluster = try await SecureKafkaCluster.shared(home)
            let folder = try TemporaryFolder()
            let settings = try settings(cluster, security, folder)
            let path = folder.path + "/kcat.conf"
            let file = "# for both\n" + settings.joined(separator: "\n") + "\nsocket.keepalive.enable=true\n"
            try file.write(toFile: path, atomically: true, encoding: .utf8)
            // Debian 12's librdkafka 2.0.2 can't log in to Kafka 4 by SCRAM: the broker rejects its credentials.
            let isRefused = !home.version.hasPrefix("3.") && security.rawValue.hasPrefix("SCRAM")
            let programs = (isRefused ? [] : [try #require(Kcat.path)]) + [try Repository.program("kafkawire")]
            let none = ["HOME": "/nonexistent", "KCAT_CONFIG": ""]
            let ways: [(arguments: [String], environment: [String: String])] = [
                (settings.flatMap { ["-X", $0] }, none), (["-F", path], none),
                ([], ["HOME": "/nonexistent", "KCAT_CONFIG": path]),
            ]
            for (arguments, environment) in ways {
                var lists: [ArraySlice<Substring>] = []
                for program in programs {
                    let result = try await run(program, ["-L"] + arguments, environment: environment)
                    #expect(result.status == 0, "\(program) \(arguments): \(result.err)")
                    #expect(!result.err.contains("secret"))
                    lists.append(result.out.split(separator: "\n").prefix(3).dropFirst())
                }
                for list in lists {
                    #expect(list.count == 2)
                    #expect(list == lists[0])
                }
            }
        }

        @Test(arguments: KafkaHome.all.prefix(1)) func bothRejectUnknownSettings(_ home: KafkaHome) async throws {
            let fixture = try await TopicFixture(home, partitions: 0)
            for program in [try #require(Kcat.path), try Repository.program("kafkawire")] {
                let result = try await run(
                    program, ["-L", "-b", fixture.cluster.bootstrap, "-X", "metadata.broker.lst=h:1"])
                #expect(result.status != 0)
                #expect(result.err.contains("metadata.broker.lst"), "\(result.err)")
            }
        }
    }
}
