// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAnchorRegistry} from "../src/IAnchorRegistry.sol";
import {MerkleModel} from "./MerkleModel.sol";
import {vm} from "./Vm.sol";

/// @title Everybody around a registry: honest operators with real trees, a council, controllers, and thieves
/// @dev Honest actions must succeed when their preconditions hold, which the handler knows from its own model and
/// never from the contract. Dishonest ones must revert: if one succeeds, the call fails and with it the run
/// (`fail_on_revert`). What was once recorded is remembered here, to be compared by the invariants.
contract RegistryHandler {
    uint256 private constant ISSUERS = 3;
    uint256 private constant MAX_LEAVES = 64;
    address private constant COUNCIL = address(0xc0);
    uint64 private constant DELAY = 7 days;

    struct Model {
        string slug;
        bytes32 issuerId;
        address controller;
        bool suspended;
        bool closed;
        bytes32 closedAs;
        uint16 epoch;
        uint32 statement;
        uint64 pendingAt;
        address pendingController;
        bytes32 pendingKeyEvent;
        address operator;
    }

    IAnchorRegistry public immutable registry;
    Model[ISSUERS] private _models;
    uint256 private _accounts = 0x1000;
    uint256 private _leaves;

    bytes32[] public logs;
    mapping(bytes32 logId => bytes32[]) private _tree;
    mapping(bytes32 logId => bytes32[]) private _anchors;
    mapping(bytes32 issuerId => bytes32[]) private _suspensions;
    mapping(bytes32 issuerId => bytes32[]) private _keyChains;
    mapping(bytes32 name => uint256) public calls;

    constructor(IAnchorRegistry registry_) {
        registry = registry_;
        string[ISSUERS] memory slugs = ["ada", "bea", "cai"];
        for (uint256 i = 0; i < ISSUERS; ++i) {
            Model storage model = _models[i];
            model.slug = slugs[i];
            model.controller = _account();
            model.operator = _account();
            model.epoch = 1;
            string memory did = string.concat("did:web:", model.slug, ".example");
            vm.prank(COUNCIL);
            registry.admit(model.slug, did, bytes32(i + 1), model.controller, model.operator, bytes32(i + 1));
            model.issuerId = registry.issuerIdOf(model.slug);
            logs.push(registry.logIdOf(model.slug, 1));
        }
    }

    // --- honest ----------------------------------------------------------------------------------------------------

    function grow(uint256 who, uint256 count, uint256 newStatements) external {
        Model storage model = _models[who % ISSUERS];
        bytes32 logId = _current(model);
        bytes32[] storage grown = _tree[logId];
        uint64 oldSize = uint64(grown.length);
        if (model.closed || oldSize > MAX_LEAVES) return;
        for (uint256 i = 0; i <= count % 12; ++i) {
            grown.push(MerkleModel.leaf(abi.encode(++_leaves)));
        }
        bytes32[] memory leaves = grown;
        uint64 size = uint64(leaves.length);
        uint32 statement = model.statement + uint32(newStatements % 3);
        if (statement == 0) statement = 1;
        bytes32 root = MerkleModel.root(leaves, 0, size);
        bytes32[] memory proof = oldSize == 0 ? new bytes32[](0) : MerkleModel.proof(leaves, oldSize, size);
        vm.prank(model.operator);
        registry.anchor(logId, oldSize, size, root, statement, proof);
        model.statement = statement;
        _anchors[logId].push(keccak256(abi.encode(size, block.number, block.timestamp, statement)));
        ++calls["grow"];
    }

    function repeatHead(uint256 who, uint64 oldSize, bytes32[] calldata proof) external {
        Model storage model = _models[who % ISSUERS];
        bytes32 logId = _current(model);
        bytes32[] memory leaves = _tree[logId];
        if (leaves.length == 0) return;
        uint64 size = uint64(leaves.length);
        uint32 statement = registry.head(logId).statement;
        bytes32 root = MerkleModel.root(leaves, 0, size);
        vm.prank(model.operator);
        registry.anchor(logId, oldSize, size, root, statement, proof);
        ++calls["repeatHead"];
    }

    function nextEpoch(uint256 who, bool byCouncil, uint64 beyond) external {
        Model storage model = _models[who % ISSUERS];
        if (model.closed) return;
        uint64 goodSize = uint64(_tree[_current(model)].length) + beyond % 100;
        address operator = _account();
        vm.prank(byCouncil ? COUNCIL : model.controller);
        registry.openEpoch(model.slug, model.epoch, operator, keccak256(abi.encode(operator)), goodSize);
        ++model.epoch;
        model.operator = operator;
        logs.push(registry.logIdOf(model.slug, model.epoch));
        ++calls["nextEpoch"];
    }

    function suspendOrReinstate(uint256 who) external {
        Model storage model = _models[who % ISSUERS];
        if (model.closed) return;
        vm.prank(COUNCIL);
        if (model.suspended) registry.reinstate(model.issuerId);
        else registry.suspend(model.issuerId);
        bytes32[] storage known = _suspensions[model.issuerId];
        if (!model.suspended) known.push();
        model.suspended = !model.suspended;
        uint16 n = uint16(known.length - 1);
        known[n] = keccak256(abi.encode(registry.suspension(model.issuerId, n)));
        ++calls["suspendOrReinstate"];
    }

    function close(uint256 who, uint256 custodian, uint256 chance) external {
        Model storage model = _models[who % ISSUERS];
        Model storage heir = _models[custodian % ISSUERS];
        // Seldom and late: there is little to do when all are closed.
        if (model.closed || chance % 8 != 0 || calls["grow"] < 10) return;
        bytes32 named = heir.closed || heir.issuerId == model.issuerId ? bytes32(0) : heir.issuerId;
        uint64 size = _size(model);
        vm.prank(custodian % 2 == 0 ? COUNCIL : model.controller);
        registry.close(model.issuerId, named, size);
        model.closed = true;
        model.closedAs = snapshot(model.issuerId);
        ++calls["close"];
    }

    function replaceOperator(uint256 who) external {
        Model storage model = _models[who % ISSUERS];
        if (model.closed) return;
        address operator = _account();
        bytes32 logId = _current(model);
        vm.prank(model.controller);
        registry.replaceOperator(logId, operator);
        model.operator = operator;
        ++calls["replaceOperator"];
    }

    function moveController(uint256 who) external {
        Model storage model = _models[who % ISSUERS];
        if (model.closed) return;
        address controller = _account();
        vm.prank(model.controller);
        registry.transferController(model.issuerId, controller);
        vm.prank(controller);
        registry.acceptController(model.issuerId);
        model.controller = controller;
        ++calls["moveController"];
    }

    function propose(uint256 who, bool controller, bytes32 keyEvent) external {
        Model storage model = _models[who % ISSUERS];
        if (model.closed || (!controller && keyEvent == 0)) return;
        model.pendingController = controller ? _account() : address(0);
        model.pendingKeyEvent = keyEvent;
        model.pendingAt = uint64(block.timestamp) + DELAY;
        vm.prank(COUNCIL);
        registry.proposeRecovery(model.issuerId, model.pendingController, keyEvent);
        ++calls["propose"];
    }

    function vetoOrExecute(uint256 who, bool veto) external {
        Model storage model = _models[who % ISSUERS];
        if (model.closed || model.pendingAt == 0) return;
        if (veto) {
            vm.prank(model.controller);
            registry.vetoRecovery(model.issuerId);
            ++calls["veto"];
        } else {
            if (block.timestamp < model.pendingAt) vm.warp(model.pendingAt);
            vm.prank(COUNCIL);
            registry.executeRecovery(model.issuerId);
            if (model.pendingController != address(0)) model.controller = model.pendingController;
            if (model.pendingKeyEvent != 0) {
                bytes32[] storage known = _keyChains[model.issuerId];
                known.push(keccak256(abi.encode(registry.keyChain(model.issuerId, uint16(known.length)))));
            }
            ++calls["execute"];
        }
        model.pendingAt = 0;
    }

    function waitFor(uint32 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 1 days);
        vm.roll(block.number + 1 + seconds_ % 7);
        ++calls["waitFor"];
    }

    // --- dishonest -------------------------------------------------------------------------------------------------

    /// @dev The operator changes, drops or inserts an old entry and proves the rest properly.
    function rewrite(uint256 who, uint256 which, uint256 count, uint256 how) external {
        Model storage model = _models[who % ISSUERS];
        bytes32 logId = _current(model);
        bytes32[] memory leaves = _tree[logId];
        uint256 oldSize = leaves.length;
        if (oldSize == 0) return;
        bytes32[] memory forged = new bytes32[](oldSize + 1 + count % 12);
        for (uint256 i = 0; i < forged.length; ++i) {
            forged[i] = i < oldSize ? leaves[i] : MerkleModel.leaf(abi.encode("forged", i));
        }
        if (how % 2 == 0 || oldSize == 1) forged[which % oldSize] = MerkleModel.leaf(abi.encode("rewritten", which));
        else (forged[0], forged[oldSize - 1]) = (forged[oldSize - 1], forged[0]);
        bytes32[] memory proof = MerkleModel.proof(forged, oldSize, forged.length);
        bytes32 root = MerkleModel.root(forged, 0, forged.length);
        uint32 statement = model.statement;
        _mustFail(
            model.operator,
            abi.encodeCall(
                IAnchorRegistry.anchor, (logId, uint64(oldSize), uint64(forged.length), root, statement, proof)
            )
        );
        ++calls["rewrite"];
    }

    /// @dev The operator goes back to an earlier head, or stays at the size with another root or an older statement.
    function fall(uint256 who, uint64 size, bytes32 root, uint32 statement) external {
        Model storage model = _models[who % ISSUERS];
        bytes32 logId = _current(model);
        bytes32[] memory leaves = _tree[logId];
        if (leaves.length == 0) return;
        uint64 oldSize = uint64(leaves.length);
        size = 1 + size % oldSize;
        if (root & bytes32(uint256(1)) == 0 && size != oldSize) root = MerkleModel.root(leaves, 0, size);
        bytes32[] memory no = new bytes32[](0);
        _mustFail(model.operator, abi.encodeCall(IAnchorRegistry.anchor, (logId, oldSize, size, root, statement, no)));
        _mustFail(model.operator, abi.encodeCall(IAnchorRegistry.anchor, (logId, 0, size, root, statement, no)));
        if (model.statement > 1) {
            bytes32[] memory longer = new bytes32[](oldSize + 1);
            for (uint256 i = 0; i < oldSize; ++i) {
                longer[i] = leaves[i];
            }
            bytes32[] memory proof = MerkleModel.proof(longer, oldSize, oldSize + 1);
            root = MerkleModel.root(longer, 0, oldSize + 1);
            uint32 older = statement % model.statement;
            _mustFail(
                model.operator,
                abi.encodeCall(IAnchorRegistry.anchor, (logId, oldSize, oldSize + 1, root, older, proof))
            );
        }
        ++calls["fall"];
    }

    /// @dev The operator sends noise. Whatever were accepted would not be in the model and so fail an invariant; but
    /// from the second anchor on nothing must be accepted.
    function noise(uint256 who, uint64 size, bytes32 root, uint32 statement, bytes32[] calldata proof) external {
        Model storage model = _models[who % ISSUERS];
        bytes32 logId = _current(model);
        uint64 oldSize = uint64(_tree[logId].length);
        if (oldSize == 0) return;
        _mustFail(
            model.operator, abi.encodeCall(IAnchorRegistry.anchor, (logId, oldSize, size, root, statement, proof))
        );
        ++calls["noise"];
    }

    /// @dev Somebody who is nobody tries every function that changes anything.
    function stranger(address caller, uint256 who, uint256 what) external {
        Model storage model = _models[who % ISSUERS];
        bytes32 id = model.issuerId;
        if (caller == COUNCIL || caller == model.controller || caller == model.operator) return;
        bytes32 logId = _current(model);
        bytes[14] memory all = [
            abi.encodeCall(IAnchorRegistry.anchor, (logId, uint64(_tree[logId].length), 999, id, 99, new bytes32[](0))),
            abi.encodeCall(IAnchorRegistry.replaceOperator, (logId, caller)),
            abi.encodeCall(IAnchorRegistry.transferController, (id, caller)),
            abi.encodeCall(IAnchorRegistry.acceptController, (id)),
            abi.encodeCall(IAnchorRegistry.vetoRecovery, (id)),
            abi.encodeCall(IAnchorRegistry.openEpoch, (model.slug, model.epoch, caller, id, 9999)),
            abi.encodeCall(IAnchorRegistry.close, (id, 0, _size(model))),
            abi.encodeCall(IAnchorRegistry.admit, ("dan", "did:web:dan.example", id, caller, caller, id)),
            abi.encodeCall(IAnchorRegistry.suspend, (id)),
            abi.encodeCall(IAnchorRegistry.reinstate, (id)),
            abi.encodeCall(IAnchorRegistry.proposeRecovery, (id, caller, 0)),
            abi.encodeCall(IAnchorRegistry.executeRecovery, (id)),
            abi.encodeCall(IAnchorRegistry.setSuccessor, (caller)),
            abi.encodeWithSignature("transferOwnership(address)", caller)
        ];
        _mustFail(caller, all[what % all.length]);
        ++calls["stranger"];
    }

    /// @dev Those who do have a role try what is not theirs, and what is over.
    function overreach(uint256 who, uint256 epoch, uint256 count) external {
        Model storage model = _models[who % ISSUERS];
        bytes32 id = model.issuerId;
        _mustFail(COUNCIL, abi.encodeCall(IAnchorRegistry.replaceOperator, (_current(model), COUNCIL)));
        _mustFail(COUNCIL, abi.encodeCall(IAnchorRegistry.transferController, (id, COUNCIL)));
        _mustFail(COUNCIL, abi.encodeWithSignature("renounceOwnership()"));
        _mustFail(model.controller, abi.encodeCall(IAnchorRegistry.suspend, (id)));
        _mustFail(model.operator, abi.encodeCall(IAnchorRegistry.close, (id, 0, _size(model))));
        if (model.epoch > 1) {
            bytes32 old = registry.logIdOf(model.slug, uint16(1 + epoch % (model.epoch - 1)));
            _mustFail(registry.log(old).operator, _extension(old, count));
        }
        if (model.closed) {
            _mustFail(model.operator, _extension(_current(model), count));
            _mustFail(COUNCIL, abi.encodeCall(IAnchorRegistry.reinstate, (id)));
            _mustFail(COUNCIL, abi.encodeCall(IAnchorRegistry.openEpoch, (model.slug, model.epoch, COUNCIL, id, 9999)));
            _mustFail(COUNCIL, abi.encodeCall(IAnchorRegistry.proposeRecovery, (id, COUNCIL, id)));
        }
        ++calls["overreach"];
    }

    /// @dev Controller and council act on what they saw some blocks ago: on another size, on another epoch.
    function raced(uint256 who, bool byCouncil, uint64 size, uint16 epoch) external {
        Model storage model = _models[who % ISSUERS];
        address caller = byCouncil ? COUNCIL : model.controller;
        if (size != _size(model)) {
            _mustFail(caller, abi.encodeCall(IAnchorRegistry.close, (model.issuerId, 0, size)));
            ++calls["racedClosure"];
        }
        if (epoch != model.epoch) {
            bytes32 key = keccak256(abi.encode(size));
            _mustFail(caller, abi.encodeCall(IAnchorRegistry.openEpoch, (model.slug, epoch, caller, key, _size(model))));
            ++calls["racedEpoch"];
        }
    }

    // --- the model, for the invariants -----------------------------------------------------------------------------

    function logCount() external view returns (uint256) {
        return logs.length;
    }

    function tree(bytes32 logId) external view returns (bytes32[] memory) {
        return _tree[logId];
    }

    function anchors(bytes32 logId) external view returns (bytes32[] memory) {
        return _anchors[logId];
    }

    function models() external view returns (Model[ISSUERS] memory) {
        return _models;
    }

    function suspensions(bytes32 issuerId) external view returns (bytes32[] memory) {
        return _suspensions[issuerId];
    }

    function keyChains(bytes32 issuerId) external view returns (bytes32[] memory) {
        return _keyChains[issuerId];
    }

    /// @dev Everything the registry holds about an issuer.
    function snapshot(bytes32 issuerId) public view returns (bytes32) {
        bytes32 logId = registry.currentLog(issuerId);
        return keccak256(
            abi.encode(
                registry.issuer(issuerId),
                registry.log(logId),
                registry.head(logId),
                registry.recovery(issuerId),
                registry.pendingController(issuerId)
            )
        );
    }

    // --- helpers ---------------------------------------------------------------------------------------------------

    function _current(Model storage model) private view returns (bytes32) {
        return registry.logIdOf(model.slug, model.epoch);
    }

    function _size(Model storage model) private view returns (uint64) {
        return uint64(_tree[_current(model)].length);
    }

    /// @dev A true extension of a log: refused only because of the lifecycle.
    function _extension(bytes32 logId, uint256 count) private view returns (bytes memory) {
        bytes32[] memory leaves = _tree[logId];
        bytes32[] memory longer = new bytes32[](leaves.length + 1 + count % 5);
        for (uint256 i = 0; i < longer.length; ++i) {
            longer[i] = i < leaves.length ? leaves[i] : MerkleModel.leaf(abi.encode("late", i));
        }
        bytes32[] memory proof =
            leaves.length == 0 ? new bytes32[](0) : MerkleModel.proof(longer, leaves.length, longer.length);
        return abi.encodeCall(
            IAnchorRegistry.anchor,
            (
                logId,
                uint64(leaves.length),
                uint64(longer.length),
                MerkleModel.root(longer, 0, longer.length),
                uint32(16_000),
                proof
            )
        );
    }

    function _mustFail(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool done,) = address(registry).call(data);
        vm.assertFalse(done, "a forbidden call succeeded");
    }

    function _account() private returns (address) {
        return address(uint160(++_accounts));
    }
}
