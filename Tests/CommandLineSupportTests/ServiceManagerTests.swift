import Foundation
import Testing

@testable import CommandLineSupport

@Suite struct ServiceManagerTests {
    /// A socket like systemd's.
    private final class Listener {
        let descriptor: Int32
        let path: String

        init(abstract: Bool = false) throws {
            let folder = FileManager.default.temporaryDirectory.path
            path = "\(abstract ? "@" : "")\(folder)/n\(UInt32.random(in: 0 ... .max))"
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var bytes = Array(path.utf8)
            if abstract { bytes[0] = 0 }
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
            let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
            let status = unsafe withUnsafeBytes(of: &address) { bytes in
                unsafe bind(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
            }
            try #require(status == 0)
        }

        deinit {
            close(descriptor)
            unsafe unlink(path)
        }

        /// The received message; nil if there is none.
        func receive() -> String? {
            var bytes = [UInt8](repeating: 0, count: 1_024)
            let count = unsafe bytes.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
            }
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    private func manager(_ environment: [String: String]) -> ServiceManager? {
        ServiceManager(environment: environment, processID: 7)
    }

    @Test(arguments: [false, true]) func notificationsArrive(_ isAbstract: Bool) throws {
        let listener = try Listener(abstract: isAbstract)
        let manager = try #require(self.manager(["NOTIFY_SOCKET": listener.path]))
        manager.notify("READY=1", "STATUS=reading")
        #expect(listener.receive() == "READY=1\nSTATUS=reading")
        #expect(listener.receive() == nil)
        #expect(manager.watchdogInterval == nil)
    }

    @Test func aMissingListenerIsIgnored() throws {
        #expect(manager([:]) == nil)
        #expect(manager(["NOTIFY_SOCKET": ""]) == nil)
        #expect(manager(["NOTIFY_SOCKET": "relative"]) == nil)
        #expect(manager(["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)]) == nil)
        try #require(manager(["NOTIFY_SOCKET": "/nonexistent/socket"])).notify("READY=1")
    }

    @Test func theWatchdogIsNotifiedTwiceAsOftenAsRequired() {
        func interval(_ more: [String: String]) -> Duration? {
            manager(["NOTIFY_SOCKET": "/s"].merging(more) { $1 })?.watchdogInterval
        }
        #expect(interval(["WATCHDOG_USEC": "30000000"]) == .seconds(15))
        #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"]) == .seconds(15))
        #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"]) == nil)
        for text in ["", "0", "-5", "many"] { #expect(interval(["WATCHDOG_USEC": text]) == nil) }
    }
}
