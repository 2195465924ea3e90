import Foundation

extension SocketAddress {
    /// The address's name, or the address in digits if it has none (getnameinfo(3)); nil if the resolver fails. Blocks for as
    /// long as DNS takes.
    var canonicalName: String? {
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = unsafe withSockaddr { address, length in
            unsafe getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, 0)
        }
        guard status == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
