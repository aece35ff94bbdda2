// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What happened in an anchor registry, in the past tense
interface IAnchorRegistryEvents {
    /// @notice An issuer joined. `identity` is the SHA-256 of its admission document.
    event IssuerAdmitted(bytes32 indexed issuerId, string slug, string did, bytes32 identity, address controller);

    /// @notice A log was opened: the first at admission, each later one by `openEpoch`.
    event LogOpened(bytes32 indexed logId, bytes32 indexed issuerId, uint16 epoch, address operator, bytes32 key);

    /// @notice The log takes no more anchors. Entries with an index below `goodSize` stay good for ever.
    event LogSuperseded(bytes32 indexed logId, bytes32 indexed issuerId, uint64 goodSize);

    /// @notice The log's head is now `root` over `size` entries; `sequence` counts the anchors of this log from 1.
    event Anchored(bytes32 indexed logId, uint64 indexed sequence, uint64 size, bytes32 root, uint32 statement);

    /// @notice Another account anchors this log from now on.
    event OperatorReplaced(bytes32 indexed logId, address indexed previous, address indexed operator);

    /// @notice `pending` may become the controller by accepting; zero withdraws the offer.
    event ControllerTransferStarted(bytes32 indexed issuerId, address indexed controller, address indexed pending);

    /// @notice The issuer has another controller, by acceptance or by recovery.
    event ControllerReplaced(bytes32 indexed issuerId, address indexed previous, address indexed controller);

    /// @notice Entries from (`epoch`, `size`) on are inside suspension number `n`.
    event IssuerSuspended(bytes32 indexed issuerId, uint16 n, uint16 epoch, uint64 size);

    /// @notice Entries from (`epoch`, `size`) on are outside suspension number `n` again.
    event IssuerReinstated(bytes32 indexed issuerId, uint16 n, uint16 epoch, uint64 size);

    /// @notice The issuer is closed at `size` entries of `logId`, for ever. `custodian` may be zero.
    event IssuerClosed(bytes32 indexed issuerId, bytes32 indexed custodian, bytes32 logId, uint64 size);

    /// @notice The council wants another controller (unless zero) and another key chain (unless zero).
    event RecoveryProposed(
        bytes32 indexed issuerId, address indexed controller, bytes32 firstKeyEvent, uint64 executableAt
    );

    /// @notice The controller is there and does not want to be recovered.
    event RecoveryVetoed(bytes32 indexed issuerId, address indexed controller);

    /// @notice The recovery took effect.
    event RecoveryExecuted(bytes32 indexed issuerId, address indexed controller, bytes32 firstKeyEvent);

    /// @notice Key chain number `n` of the issuer's replacements starts with `firstKeyEvent` at (`epoch`, `startSize`).
    event KeyChainReplaced(
        bytes32 indexed issuerId, uint16 n, bytes32 indexed firstKeyEvent, uint16 epoch, uint64 startSize
    );

    /// @notice The council named the next contract.
    event SuccessorSet(address indexed successor);
}
