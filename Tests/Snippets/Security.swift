// What the code in Security.md uses without declaring it.

private struct Answer {
    let accessToken: String
    let expiresIn: Int
}
private protocol IdentityProvider: Sendable {
    func token(scope: String) async throws -> Answer
}
private var password: String { omitted() }
private var identityProvider: any IdentityProvider { omitted() }
