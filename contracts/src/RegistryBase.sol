// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {ConsistencyProof} from "./ConsistencyProof.sol";
import {IAnchorRegistry} from "./IAnchorRegistry.sol";
import {Names} from "./Names.sol";

/// @title Storage, views and shared checks of the anchor registry
/// @dev Evidence proves these slots, so their order is a published format (docs/spec/storage-layout.md): never move,
/// pack or remove one. Slots 0 and 1 are OpenZeppelin's `_owner` and `_pendingOwner`. A new variable goes to the end.
abstract contract RegistryBase is Ownable2Step, IAnchorRegistry {
    /// @dev A second is the shortest delay with a block in it; what a consortium wants is days (members read it
    /// before they join).
    uint64 private constant MIN_RECOVERY_DELAY = 1 seconds;
    /// @dev A recovery that cannot happen while anybody remembers it is none.
    uint64 private constant MAX_RECOVERY_DELAY = 365 days;
    /// @dev Other implementations keep sizes as signed 64-bit integers; a larger one could not be read there.
    uint64 internal constant MAX_TREE_SIZE = (1 << 63) - 1;
    /// @dev SHA-256(0x01 || 64 zero bytes).
    bytes32 private constant NODE_OF_ZEROS = 0xae0798d0ecaed2b778eddebf18f071a561c53658c05e76cedecc27cafbdbc577;

    string internal _registryName; // slot 2
    address internal _successor; // slot 3
    mapping(bytes32 issuerId => Issuer) internal _issuers; // slot 4
    mapping(bytes32 logId => Log) internal _logs; // slot 5
    mapping(bytes32 logId => mapping(uint64 sequence => Anchor)) internal _history; // slot 6
    mapping(bytes32 issuerId => mapping(uint16 n => Suspension)) internal _suspensions; // slot 7
    mapping(bytes32 issuerId => mapping(uint16 n => KeyChain)) internal _keyChains; // slot 8
    mapping(bytes32 issuerId => Recovery) internal _recoveries; // slot 9
    mapping(bytes32 issuerId => address) internal _pendingControllers; // slot 10
    mapping(bytes32 didDigest => bytes32 issuerId) internal _issuerOfDid; // slot 11, by SHA-256 of the DID
    mapping(bytes32 issuerId => bytes32 logId) internal _currentLogs; // slot 12

    uint64 private immutable _recoveryDelay;
    uint256 internal immutable _deployedAt;

    constructor(string memory name, address council, uint64 delay) Ownable(council) {
        if (!Names.isRegistryName(name)) revert BadRegistryName(name);
        if (delay < MIN_RECOVERY_DELAY || delay > MAX_RECOVERY_DELAY) {
            revert RecoveryDelayOutOfRange(delay, MIN_RECOVERY_DELAY, MAX_RECOVERY_DELAY);
        }
        // Ids and roots would be noise on a chain without the precompile; better not to exist there.
        if (ConsistencyProof.node(0, 0) != NODE_OF_ZEROS) revert Sha256Failed();
        _registryName = name;
        _recoveryDelay = delay;
        _deployedAt = block.timestamp;
    }

    /// @inheritdoc IAnchorRegistry
    function issuer(bytes32 issuerId) external view returns (Issuer memory) {
        return _issuers[issuerId];
    }

    /// @inheritdoc IAnchorRegistry
    function log(bytes32 logId) external view returns (Log memory) {
        return _logs[logId];
    }

    /// @inheritdoc IAnchorRegistry
    function head(bytes32 logId) external view returns (Anchor memory) {
        return _history[logId][_logs[logId].sequence];
    }

    /// @inheritdoc IAnchorRegistry
    function history(bytes32 logId, uint64 sequence) external view returns (Anchor memory) {
        return _history[logId][sequence];
    }

    /// @inheritdoc IAnchorRegistry
    function suspension(bytes32 issuerId, uint16 n) external view returns (Suspension memory) {
        return _suspensions[issuerId][n];
    }

    /// @inheritdoc IAnchorRegistry
    function keyChain(bytes32 issuerId, uint16 n) external view returns (KeyChain memory) {
        return _keyChains[issuerId][n];
    }

    /// @inheritdoc IAnchorRegistry
    function recovery(bytes32 issuerId) external view returns (Recovery memory) {
        return _recoveries[issuerId];
    }

    /// @inheritdoc IAnchorRegistry
    function pendingController(bytes32 issuerId) external view returns (address) {
        return _pendingControllers[issuerId];
    }

    /// @inheritdoc IAnchorRegistry
    function currentLog(bytes32 issuerId) external view returns (bytes32 logId) {
        return _currentLogs[issuerId];
    }

    /// @inheritdoc IAnchorRegistry
    function issuerOf(string calldata did) external view returns (bytes32 issuerId) {
        return _issuerOfDid[sha256(bytes(did))];
    }

    /// @inheritdoc IAnchorRegistry
    function issuerIdOf(string calldata slug) external view returns (bytes32 issuerId) {
        return Names.issuerId(_registryName, slug);
    }

    /// @inheritdoc IAnchorRegistry
    function logIdOf(string calldata slug, uint16 epoch) external view returns (bytes32 logId) {
        return Names.logId(_registryName, slug, epoch);
    }

    /// @inheritdoc IAnchorRegistry
    function registryName() external view returns (string memory) {
        return _registryName;
    }

    /// @inheritdoc IAnchorRegistry
    function recoveryDelay() public view returns (uint64) {
        return _recoveryDelay;
    }

    /// @inheritdoc IAnchorRegistry
    function successor() external view returns (address) {
        return _successor;
    }

    /// @inheritdoc IAnchorRegistry
    function version() external pure returns (uint256) {
        return 1;
    }

    /// @dev The record of an issuer that was admitted and is not closed: everything else is refused, for ever.
    function _openIssuer(bytes32 issuerId) internal view returns (Issuer storage record) {
        record = _issuers[issuerId];
        Lifecycle lifecycle = record.lifecycle;
        if (lifecycle == Lifecycle.None) revert UnknownIssuer(issuerId);
        if (lifecycle == Lifecycle.Closed) revert IssuerIsClosed(issuerId);
    }

    function _requireController(bytes32 issuerId, address controller) internal view {
        if (msg.sender != controller) revert NotController(issuerId, msg.sender, controller);
    }

    function _requireControllerOrCouncil(bytes32 issuerId, address controller) internal view {
        if (msg.sender != controller && msg.sender != owner()) {
            revert NotControllerOrCouncil(issuerId, msg.sender, controller, owner());
        }
    }

    /// @dev Zero before the first anchor, because anchors are numbered from 1.
    function _anchoredSize(bytes32 logId) internal view returns (uint64) {
        return _history[logId][_logs[logId].sequence].size;
    }
}
