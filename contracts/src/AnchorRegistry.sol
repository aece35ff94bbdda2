// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {ConsistencyProof} from "./ConsistencyProof.sol";
import {IAnchorRegistry} from "./IAnchorRegistry.sol";
import {IssuerControl} from "./IssuerControl.sol";
import {IssuerLifecycle} from "./IssuerLifecycle.sol";
import {RegistryBase} from "./RegistryBase.sol";

/// @title The anchor registry
/// @dev `IssuerLifecycle` and `IssuerControl` decide who may anchor; this contract anchors.
contract AnchorRegistry is IssuerLifecycle, IssuerControl {
    /// @dev How far a statement sequence may run ahead of one statement a minute since deployment. Honest issuers stay
    /// far below; what a thief can burn with both is a small part of the 32 bits, for thousands of years.
    uint256 private constant STATEMENT_HEADROOM = 1 << 14;

    /// @param name all origins start with it
    /// @param council owner of the registry
    /// @param delay seconds between the proposal of a recovery and its execution
    constructor(string memory name, address council, uint64 delay) RegistryBase(name, council, delay) {}

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen operator: can extend the log by entries nobody signed for, so that the true log no longer matches
    /// and the next epoch must be opened; can raise the statement sequence up to `highestStatement`; can be silent.
    /// It cannot shrink, rewrite or backdate, cannot speak for the log (the log's key signs checkpoints) and cannot
    /// revoke.
    function anchor(
        bytes32 logId,
        uint64 oldSize,
        uint64 size,
        bytes32 root,
        uint32 statement,
        bytes32[] calldata proof
    ) external {
        _anchor(logId, oldSize, size, root, statement, proof);
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen operator: as in `anchor`, for the logs it operates.
    function anchorMany(AnchorCall[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; ++i) {
            AnchorCall calldata call = calls[i];
            _anchor(call.logId, call.oldSize, call.size, call.root, call.statement, call.proof);
        }
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Stolen council: can send people to another contract, once; nothing here changes.
    function setSuccessor(address next) external onlyOwner {
        if (_successor != address(0)) revert SuccessorAlreadySet(_successor);
        if (next == address(0)) revert ZeroArgument("successor");
        if (next == address(this)) revert BadSuccessor(next);

        _successor = next;
        emit SuccessorSet(next);
    }

    /// @notice Refused: a registry without a council could never close or suspend anybody.
    function renounceOwnership() public view override(Ownable) {
        revert CouncilCannotLeave(owner());
    }

    /// @inheritdoc IAnchorRegistry
    /// @dev Without a bound a stolen operator could anchor the largest sequence once and so forbid the issuer, in this
    /// and all later epochs, ever to anchor a newer statement: no revocation would reach the chain again.
    function highestStatement() public view returns (uint256) {
        return (block.timestamp - _deployedAt) / 1 minutes + STATEMENT_HEADROOM;
    }

    /// @dev A repeated head comes first, because it is harmless whatever happened since; cheap checks come before the
    /// proof. The first anchor of a log proves nothing: there is nothing to extend.
    function _anchor(
        bytes32 logId,
        uint64 oldSize,
        uint64 size,
        bytes32 root,
        uint32 statement,
        bytes32[] calldata proof
    ) private {
        Log storage record = _logs[logId];
        address operator = record.operator;
        uint64 sequence = record.sequence;
        if (operator == address(0)) revert UnknownLog(logId);
        if (msg.sender != operator) revert NotOperator(logId, msg.sender, operator);
        Anchor memory current = _history[logId][sequence];
        bytes32 oldRoot = record.root;
        if (sequence != 0 && size == current.size && root == oldRoot && statement == current.statement) return;

        Issuer storage issuer_ = _issuers[record.issuerId];
        if (issuer_.lifecycle == Lifecycle.Closed) revert IssuerIsClosed(record.issuerId);
        if (record.superseded) revert LogIsSuperseded(logId);
        if (oldSize != current.size) revert StaleTreeSize(oldSize, current.size);
        if (size <= oldSize) revert TreeNotGrown(size, oldSize);
        if (size > MAX_TREE_SIZE) revert TreeTooLarge(size, MAX_TREE_SIZE);
        _raiseStatement(issuer_, statement);
        if (oldSize != 0) {
            ConsistencyProof.verify(proof, oldSize, oldRoot, size, root);
        } else {
            if (root == 0) revert ZeroArgument("root");
            if (proof.length != 0) revert ProofMalformed(0, size, proof.length);
        }

        record.root = root;
        record.sequence = ++sequence;
        _history[logId][sequence] = Anchor({
            size: size, blockNumber: uint64(block.number), timestamp: uint64(block.timestamp), statement: statement
        });
        emit Anchored(logId, sequence, size, root, statement);
    }

    /// @dev Heartbeats repeat the statement, and then the issuer's slot is not written.
    function _raiseStatement(Issuer storage issuer_, uint32 statement) private {
        uint32 current = issuer_.statement;
        if (statement < current || statement == 0) revert StatementFell(statement, current);
        if (statement == current) return;
        uint256 highest = highestStatement();
        // A block producer can shift the clock by seconds, which moves this bound by one statement at most.
        // slither-disable-next-line timestamp
        if (statement > highest) revert StatementTooHigh(statement, highest);
        issuer_.statement = statement;
    }
}
