extension SpokenMessage {
    static let security: [SpokenMessage] = []
}
