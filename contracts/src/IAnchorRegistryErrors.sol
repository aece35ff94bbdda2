// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What an anchor registry refuses, with the data needed to understand why
interface IAnchorRegistryErrors {
    // --- who -------------------------------------------------------------------------------------------------------

    /// @notice Only the log's operator may do this.
    error NotOperator(bytes32 logId, address caller, address operator);

    /// @notice Only the issuer's controller may do this.
    error NotController(bytes32 issuerId, address caller, address controller);

    /// @notice Only the issuer's controller or the council may do this.
    error NotControllerOrCouncil(bytes32 issuerId, address caller, address controller, address council);

    /// @notice Only the account named by `transferController` may accept.
    error NotPendingController(bytes32 issuerId, address caller, address pending);

    /// @notice A registry without a council could never close or suspend anybody again.
    error CouncilCannotLeave(address council);

    // --- what ------------------------------------------------------------------------------------------------------

    /// @notice No issuer with this id was ever admitted.
    error UnknownIssuer(bytes32 issuerId);

    /// @notice No log with this id was ever opened.
    error UnknownLog(bytes32 logId);

    /// @notice The slug belongs to an issuer already, closed or not.
    error IssuerExists(bytes32 issuerId);

    /// @notice The DID belongs to `issuerId` already, closed or not: one DID, one issuer.
    error DidTaken(bytes32 issuerId);

    /// @notice A slug is 1 to 63 characters of `a-z 0-9 -` and neither starts nor ends with `-`.
    error BadSlug(string slug);

    /// @notice A DID starts with `did:`, is at most 1024 bytes long and has only the characters of the DID syntax.
    error BadDid(string did);

    /// @notice A registry name is at most 64 characters: slugs joined by dots, like a host name.
    error BadRegistryName(string registryName);

    /// @notice The named argument must not be zero.
    error ZeroArgument(string argument);

    /// @notice The delay must leave the controller time for a veto and must end.
    error RecoveryDelayOutOfRange(uint64 got, uint64 lowest, uint64 highest);

    /// @notice The SHA-256 precompile is missing on this chain, or ran out of gas.
    error Sha256Failed();

    // --- lifecycle -------------------------------------------------------------------------------------------------

    /// @notice The issuer is closed, which is final.
    error IssuerIsClosed(bytes32 issuerId);

    /// @notice The issuer is suspended already.
    error IssuerIsSuspended(bytes32 issuerId);

    /// @notice There is no suspension to end.
    error IssuerNotSuspended(bytes32 issuerId);

    /// @notice The log was succeeded by a later epoch and takes nothing more.
    error LogIsSuperseded(bytes32 logId);

    /// @notice The call was made for another epoch: read `issuer(issuerId)` and decide again.
    error StaleEpoch(uint16 got, uint16 current);

    /// @notice The new epoch names the key digest of its predecessor, as a copied call does. The digest is over a text
    /// with the epoch in it: the same key under the new name has another one, which is not refused here.
    error LogKeyReused(bytes32 key);

    /// @notice What is anchored stays good: a good size below it is refused.
    error GoodSizeTooSmall(uint64 got, uint64 anchored);

    /// @notice A custodian is an admitted issuer that is not closed and not the issuer itself.
    error BadCustodian(bytes32 custodian);

    /// @notice No recovery is pending for the issuer.
    error NoRecoveryPending(bytes32 issuerId);

    /// @notice A recovery replaces a controller or a key chain; this one names neither.
    error EmptyRecovery(bytes32 issuerId);

    /// @notice The controller still has time to veto.
    error RecoveryTooEarly(uint64 executableAt, uint64 timestamp);

    /// @notice The successor is named once, for ever.
    error SuccessorAlreadySet(address successor);

    /// @notice The registry cannot be its own successor.
    error BadSuccessor(address successor);

    // --- anchors ---------------------------------------------------------------------------------------------------

    /// @notice The anchor or closure was made for another head: read `head(logId)` and start from there.
    error StaleTreeSize(uint64 got, uint64 current);

    /// @notice A new head is larger than the one before; `got` is not.
    error TreeNotGrown(uint64 got, uint64 current);

    /// @notice No tree has more than 2^63 - 1 entries.
    error TreeTooLarge(uint64 got, uint64 highest);

    /// @notice The statement sequence starts at 1 and never falls, across all epochs of an issuer.
    error StatementFell(uint32 got, uint32 current);

    /// @notice Nobody can have made that many statements yet; see `highestStatement`.
    error StatementTooHigh(uint32 got, uint256 highest);

    /// @notice A consistency proof between these sizes has another number of nodes.
    error ProofMalformed(uint64 oldSize, uint64 size, uint256 nodes);

    /// @notice The tree with `root` does not start with the entries of the tree with `oldRoot`.
    error NotAnExtension(bytes32 oldRoot, bytes32 root);
}
